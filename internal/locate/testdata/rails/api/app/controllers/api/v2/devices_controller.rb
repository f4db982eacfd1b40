class Api::V2::DevicesController < ActionController::Base
  def index; end
  def show; end
end
