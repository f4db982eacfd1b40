class Api::V1::DevicesController < ActionController::Base
  def bulk; end
  def clear; end
  def create; end
  def destroy; end
  def index; end
  def show; end
  def update; end
end
