class PhotosController < ActionController::Base
  def index; end
end
