class Api::V1::SessionsController < ActionController::Base
  def create; end
  def destroy; end
  def index; end
end
